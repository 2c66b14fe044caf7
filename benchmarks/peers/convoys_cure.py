"""Weibull cure model by convoys on the deals of an .npz file; prints seconds, log-likelihood and conversion."""

import json
import sys
import time

import numpy as np
from convoys.regression import Weibull

deals = np.load(sys.argv[1])
days, won = deals["days"], deals["won"]
alike = np.ones((len(days), 1))  # no features: one group
start = time.perf_counter()
# Without a prior (hierarchical) and with a conversion below 1 (logistic) it is the model that we fit.
model = Weibull(ci=False, hierarchical=False, flavor="logistic")
model.fit(alike, won.astype(float), days)
seconds = time.perf_counter() - start
fitted = model.params["map"]
shape = float(fitted["p"])
scale = float(np.exp(-(fitted["a"] + fitted["alpha"].sum())))
conversion = float(1 / (1 + np.exp(-(fitted["b"] + fitted["beta"].sum()))))
hazard = (days / scale) ** shape
density = np.log(conversion * shape / scale) + (shape - 1) * np.log(days / scale) - hazard
open_ = np.log(1 - conversion + conversion * np.exp(-hazard))
log_likelihood = float(np.where(won, density, open_).sum())
print(json.dumps({"seconds": seconds, "log_likelihood": log_likelihood, "conversion": conversion, "scale": scale}))
