import { purchases } from '@millrace/contracts';
import { GlueCatalog, glueClient } from '@millrace/lake';
import { BenchLake } from '../lake/bench-lake.ts';

/** Opens a separate lake with the rows of one day in this number of files, which the catalog knows. */
export async function openQueryLake(endpoint: string, rows: number, files: number, tell: (text: string) => void): Promise<BenchLake> {
  const lake = await BenchLake.open(endpoint);
  const glue = glueClient({}, { endpoint, region: process.env['AWS_REGION'] ?? 'us-east-1' });
  try {
    await lake.land({ rows, days: 1, batches: files }, (batch) => {
      if (batch % 100 === 0) tell(`${files} files: ${batch} written`);
    });
    const days = await lake.store.listFolders(`${purchases.table}/`);
    const catalog = new GlueCatalog(glue, purchases, lake.bucket, undefined, lake.database);
    await catalog.register(days.map((day) => day.slice(`${purchases.partitionKey}=`.length, -1)));
    return lake;
  } catch (error) {
    await lake.close();
    throw error;
  } finally {
    glue.destroy();
  }
}
