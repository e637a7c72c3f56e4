// helm test: every service must be ready. With an API key, a posted purchase must become queryable and the query API must find it.
import { setTimeout as delay } from 'node:timers/promises';

const { CHECK_SERVICES, CHECK_PURCHASE_URL, CHECK_QUERY_URL, CHECK_API_KEY, CHECK_SECONDS } = process.env;
const deadline = Date.now() + Number(CHECK_SECONDS) * 1000;
const headers = { authorization: `Bearer ${CHECK_API_KEY}`, 'content-type': 'application/json' };

async function ask(url, options = {}) {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(40_000) });
  const body = await response.json();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${JSON.stringify(body)}`);
  return body;
}

// Repeats a step until it succeeds: a rolling update may be under way.
async function until(name, step) {
  for (;;) {
    try {
      const result = await step();
      console.log(`ok: ${name}`);
      return result;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${name}: ${error.message}`, { cause: error });
      await delay(1000);
    }
  }
}

for (const url of CHECK_SERVICES.split(',')) await until(`${url} is ready`, async () => await ask(`${url}/health/ready`));
if (CHECK_API_KEY !== undefined) {
  const purchase = {
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: 'helm-test',
    userCountry: 'country',
    userAge: 24,
    purchaseTimestamp: Math.floor(Date.now() / 1000),
  };
  const receipt = await until('a purchase is accepted', async () => {
    return await ask(`${CHECK_PURCHASE_URL}/v1/purchases`, { method: 'POST', headers, body: JSON.stringify(purchase) });
  });
  await until('the purchase is queryable', async () => {
    const { status } = await ask(`${CHECK_PURCHASE_URL}${receipt.links.self}`, { headers });
    if (status !== 'queryable') throw new Error(`its status is ${status}`);
  });
  await until('a query finds it', async () => {
    const sql = `SELECT event_id FROM purchases WHERE event_id = '${receipt.eventId}'`;
    const answer = await ask(`${CHECK_QUERY_URL}/v1/queries`, {
      method: 'POST',
      headers: { ...headers, prefer: 'wait=30' },
      body: JSON.stringify({ sql }),
    });
    if (answer.results?.rows?.length !== 1) throw new Error(`the answer is ${JSON.stringify(answer)}`);
  });
}
