"""The recurrence of the catalogue once more, with plain lists and no word of Holdwater's own code."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    "fit_share": 1, "burn": 0, "lead_capacity": 1e300, "lead_cost": 0, "onboarding_capacity": 1e300, "growth": 0,
    "referral_rate": 0, "discount": 0, "customers": 0, "customer_capacity": 1e300, "overload_slope": 0,
    "overload_threshold": 0.9, "fixed_cost": 0, "horizon": 24, "run_off": 1,
}  # fmt: skip


def rows_by_hand(model: dict[str, Any], leads: float | None = None) -> tuple[list[dict[str, float]], float]:
    """One row for each period, and the customers at the end; `leads` where they are not those of today."""
    m = DEFAULTS | {"next_lead_cost": model["cost_per_lead"]} | model
    flow = m["leads"] if leads is None else leads
    n = [m["customers"]]
    rows = []
    for t in range(m["horizon"]):
        worked = min(flow * (1 - m["burn"]), m["lead_capacity"])
        wanted = worked * m["fit_share"] * m["conversion"] + m["referral_rate"] * n[t]
        new = min(wanted, m["onboarding_capacity"])
        overload = max(0, n[t] / m["customer_capacity"] - m["overload_threshold"])
        lost = min(1, m["churn"] + m["overload_slope"] * overload) * n[t]
        revenue = min(n[t], m["customer_capacity"]) * m["revenue_per_customer"] * (1 + m["growth"]) ** t
        bought = min(flow, m["leads"]) * m["cost_per_lead"] + max(0, flow - m["leads"]) * m["next_lead_cost"]
        contribution = revenue * m["gross_margin"] - bought - worked * m["lead_cost"] - m["fixed_cost"]
        rows.append({
            "period": t, "leads": flow, "worked": worked, "burned": flow - worked, "new": new,
            "turned_away": wanted - new, "lost": lost, "customers": n[t], "revenue": revenue,
            "contribution": contribution,
        })  # fmt: skip
        n.append(n[t] - lost + new)
    return rows, n[-1]


def profit_by_hand(model: dict[str, Any], leads: float | None = None) -> float:
    m = DEFAULTS | model
    rows, last = rows_by_hand(model, leads)
    total = sum(row["contribution"] / (1 + m["discount"]) ** row["period"] for row in rows)
    if m["run_off"] == 0:
        return float(total)
    k = (1 - m["churn"]) / (1 + m["discount"])
    margin = min(last, m["customer_capacity"]) * m["revenue_per_customer"] * m["gross_margin"]
    growth = (1 + m["growth"]) ** m["horizon"] / (1 + m["discount"]) ** m["horizon"]
    return float(total + m["run_off"] * margin * growth / (1 - k))


def worth_by_hand(model: dict[str, Any]) -> float:
    """What each further lead earns: 1 % more leads in every period, in today's money, for each of them."""
    m = DEFAULTS | model
    step = m["leads"] * 0.01
    periods = sum((1 + m["discount"]) ** -t for t in range(m["horizon"]))
    return float((profit_by_hand(model, m["leads"] + step) - profit_by_hand(model)) / step / periods)


def random_model(chance: Any, *, overload: bool = True) -> dict[str, Any]:
    """A business of any kind; each limit, cost and habit is there in about half of them."""
    some = {
        "next_lead_cost": chance.uniform(1, 150), "fit_share": chance.uniform(0.3, 1), "burn": chance.uniform(0, 0.5),
        "lead_capacity": chance.uniform(20, 200), "lead_cost": chance.uniform(0, 20),
        "onboarding_capacity": chance.uniform(2, 20), "growth": chance.uniform(-0.02, 0.02),
        "referral_rate": chance.uniform(0, 0.03), "discount": chance.uniform(0, 0.03),
        "customers": chance.uniform(0, 300), "customer_capacity": chance.uniform(50, 400),
        "fixed_cost": chance.uniform(0, 5000), "run_off": chance.choice([0, 0.5, 1]),
        "horizon": chance.choice([1, 12, 24, 40]),
    }  # fmt: skip
    model = {
        "leads": chance.uniform(10, 200), "cost_per_lead": chance.uniform(1, 100),
        "conversion": chance.uniform(0.02, 0.4), "revenue_per_customer": chance.uniform(20, 300),
        "gross_margin": chance.uniform(0.2, 1), "churn": chance.uniform(0.01, 0.3),
    }  # fmt: skip
    model |= {label: value for label, value in some.items() if chance.random() < 0.5}
    if overload and "customer_capacity" in model and chance.random() < 0.7:
        model |= {"overload_slope": chance.uniform(0.05, 1), "overload_threshold": chance.uniform(0.6, 1)}
    return model
