// Pages everything out of a Pipedrive with Pipedrive's own client and prints it as one JSON object.
// node read_pipedrive.mjs FOLDER_OF_CLIENT ADDRESS; the token is in PIPEDRIVE_TOKEN.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, address] = process.argv.slice(2);
const require = createRequire(join(folder, "node_modules", "pipedrive", "package.json"));
const v1 = require("pipedrive/v1");
const v2 = require("pipedrive/v2");
const apiKey = process.env.PIPEDRIVE_TOKEN;
const old = new v1.Configuration({ apiKey, basePath: `${address}/v1` });
const current = new v2.Configuration({ apiKey, basePath: `${address}/api/v2` });

async function byCursor(fetch) {
  const rows = [];
  let cursor;
  do {
    const page = await fetch(cursor);
    rows.push(...page.data);
    cursor = page.additional_data.next_cursor ?? undefined;
  } while (cursor);
  return rows;
}

async function refusal(asked) {
  try {
    await asked;
  } catch (error) {
    return error; // the body of the answer
  }
}

async function byPosition(fetch) {
  const rows = [];
  let start = 0;
  while (start !== undefined) {
    const page = await fetch(start);
    rows.push(...page.data);
    start = page.additional_data.pagination.next_start;
  }
  return rows;
}

const deals = new v2.DealsApi(current);
const oldDeals = new v1.DealsApi(old);
const leads = new v1.LeadsApi(old);
const users = new v1.UsersApi(old);
const all = { limit: 40, sort_by: "id", sort_direction: "asc" };
const found = {
  me: (await users.getCurrentUser()).data,
  users: (await users.getUsers()).data,
  stages: await byCursor((cursor) => new v2.StagesApi(current).getStages({ cursor })),
  pipelines: await byCursor((cursor) => new v2.PipelinesApi(current).getPipelines({ cursor })),
  fields: await byCursor((cursor) => new v2.DealFieldsApi(current).getDealFields({ cursor })),
  leadSources: (await new v1.LeadSourcesApi(old).getLeadSources()).data,
  deals: await byCursor((cursor) => deals.getDeals({ ...all, include_fields: "source_lead_id", cursor })),
  archivedDeals: await byCursor((cursor) => deals.getArchivedDeals({ ...all, cursor })),
  deletedDeals: await byCursor((cursor) => deals.getDeals({ ...all, status: "deleted", cursor })),
  changed: await byCursor((cursor) =>
    deals.getDeals({
      limit: 7,
      sort_by: "update_time",
      sort_direction: "desc",
      updated_since: process.env.PIPEDRIVE_SINCE,
      cursor,
    }),
  ),
  persons: await byCursor((cursor) =>
    new v2.PersonsApi(current).getPersons({ ...all, include_fields: "marketing_status", cursor }),
  ),
  activities: await byCursor((cursor) => new v2.ActivitiesApi(current).getActivities({ ...all, cursor })),
  leads: await byPosition((start) => leads.getLeads({ start, limit: 9 })),
  archivedLeads: await byPosition((start) => leads.getArchivedLeads({ start, limit: 9 })),
  changelogs: {},
  strangerRefused: await refusal(new v2.DealsApi(new v2.Configuration({ ...current, apiKey: "wrong" })).getDeals()),
  fractionRefused: await refusal(deals.getDeals({ updated_since: "2026-10-01T00:00:00.5Z" })),
};
for (const { id } of [...found.deals, ...found.archivedDeals]) {
  found.changelogs[id] = await byCursor((cursor) => oldDeals.getDealChangelog({ id, limit: 1, cursor }));
}
console.log(JSON.stringify(found));
