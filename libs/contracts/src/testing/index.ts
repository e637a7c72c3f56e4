export { bookViews, bookViewsWithShelf, servedBookViews } from './book-views.ts';
export { DocumentCheck, type GivenAnswer } from './document-check.ts';
