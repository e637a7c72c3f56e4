import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Lanes } from './lane/lanes.ts';
import type { FetchedRecords } from './kafka/log.ts';
import { recordsPattern, type BatchOutcome } from './kafka/kafka-batch-strategy.ts';

/** Takes the batches of the topic. */
@Controller()
export class SinkController {
  readonly #lanes: Lanes;

  constructor(@Inject(Lanes) lanes: Lanes) {
    this.#lanes = lanes;
  }

  @MessagePattern(recordsPattern)
  async take(@Payload() fetched: FetchedRecords): Promise<BatchOutcome> {
    return { taken: await this.#lanes.take(fetched) };
  }
}
