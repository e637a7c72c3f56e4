export { DocumentCheck, type GivenAnswer } from './document-check.ts';
