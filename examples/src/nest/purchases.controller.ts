import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, type KafkaContext, Payload } from '@nestjs/microservices';
import { InvalidPurchaseError, readPurchase } from '../purchase-reader.ts';

/** Name of the topic. */
export const topic = process.env['TOPIC'] ?? 'bookstore.purchases.v1';

/** Handles the events of the topic. */
@Controller()
export class PurchasesController {
  // An offset is committed only after this method has returned for it. When it throws, Kafka delivers the record again.
  // oxlint-disable-next-line typescript/no-unnecessary-type-arguments -- without it, TypeScript takes the overload for maps of events
  @EventPattern<string>(topic)
  onPurchase(@Payload() value: unknown, @Ctx() context: KafkaContext): void {
    const { headers = {}, offset } = context.getMessage();
    const partition = context.getPartition();
    try {
      // Nest has decoded the value and the headers.
      const { data, ...attributes } = readPurchase(headers as Readonly<Record<string, string>>, value);
      // Your work. It may happen twice for one event after a crash, so make it idempotent on `id`.
      console.log(JSON.stringify({ ...attributes, partition, offset, data }));
    } catch (error) {
      if (!(error instanceof InvalidPurchaseError)) throw error;
      console.error(`${context.getTopic()}/${partition}@${offset}: ${error.message}`);
    }
  }
}
