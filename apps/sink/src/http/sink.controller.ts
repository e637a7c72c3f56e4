import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { Lanes } from '../lane/lanes.ts';
import type { FetchedRecords } from '../kafka/log.ts';
import { recordsPattern, type BatchOutcome, type FetchContext } from '../kafka/kafka-batch-strategy.ts';

/** Injection token of the lanes by topic. */
export const LANES = Symbol('LANES');

/** Takes the batches of the topics. */
@Controller()
export class SinkController {
  readonly #lanes: ReadonlyMap<string, Lanes>;

  constructor(@Inject(LANES) lanes: ReadonlyMap<string, Lanes>) {
    this.#lanes = lanes;
  }

  @MessagePattern(recordsPattern)
  async take(@Payload() fetched: FetchedRecords, @Ctx() { topic }: FetchContext): Promise<BatchOutcome> {
    return { taken: await this.#lanes.get(topic)!.take(fetched) };
  }
}
