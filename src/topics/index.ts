/** Level 1: topic names, filters, shares, the subscription tree: the only matcher in the project. Imports nothing from npm. */
export { topicFilterFault, topicNameFault } from './topic-fault.ts';
export { parseShare, type SharedFilter } from './share.ts';
export { covers, matches, overlaps } from './filter-relation.ts';
export { TopicTree } from './topic-tree.ts';
export { TopicStore } from './topic-store.ts';
export { TopicSearch } from './topic-search.ts';
export { RouteCache } from './route-cache.ts';
