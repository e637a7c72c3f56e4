export { OwnTopic, purchaseMessage } from './own-topic.ts';
export { ownEnv, PlantedLake, plantedRecords, type PlantedRecord } from './planted-lake.ts';
