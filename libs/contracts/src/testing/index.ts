export { bookViews } from './book-views.ts';
export { DocumentCheck, type GivenAnswer } from './document-check.ts';
