import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { PurchasesController } from './purchases.controller.ts';

@Module({ controllers: [PurchasesController] })
class ExampleModule {}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(ExampleModule, {
  transport: Transport.KAFKA,
  logger: ['error'],
  options: {
    client: { clientId: 'example-nest', brokers: (process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(',') },
    consumer: { groupId: process.env['GROUP_ID'] ?? 'example-nest', allowAutoTopicCreation: false },
    // Only a new group begins at the first event. After that, Kafka keeps the position of the group.
    subscribe: { fromBeginning: true },
    // Without it, Nest appends "-server" to the names of the client and of the group.
    postfixId: '',
  },
});
// SIGTERM waits for the running handler, commits and leaves the group. Then the exit code is 0.
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen();
