import type { Report } from './report.ts';

const salesByGenre: Report = {
  name: 'sales-by-genre',
  description: 'Purchases, distinct buyers and their average age for each genre, the genre sold most often first.',
  parameters: [
    { name: 'from', type: 'date', description: 'First day (UTC) that counts', default: '0001-01-01' },
    { name: 'to', type: 'date', description: 'Last day (UTC) that counts', default: '9999-12-31' },
  ],
  // The condition is on the partition key, so that days outside it are not read.
  sql: `SELECT genre, count(*) AS purchases, count(DISTINCT user_id) AS buyers, round(avg(user_age), 1) AS average_age
FROM purchases
WHERE dt >= ? AND dt <= ?
GROUP BY genre
ORDER BY purchases DESC, genre`,
  binds: ['from', 'to'],
};

/** The reports that clients may ask for by name. */
export const reports: readonly Report[] = [salesByGenre];
