/** The published contract: what calls there are, and the document made from them. */

export { openApiDocument, problemsOf } from './openapi/document.ts';
export { type Operation, operations, type SchemaName, TAGS } from './openapi/operations.ts';
export { wireSchemas } from './response-schemas.ts';
