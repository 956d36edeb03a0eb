/** What every schema has, and the kinds of fields. Strict: a field that is not declared is an error. */
import { Schema, type SchemaDefinition } from 'mongoose';

const { Mixed } = Schema.Types;
const DURABLE = { w: 'majority', j: true, wtimeout: 5_000 } as const;

export const text = { type: String, required: true };
export const when = { type: Date, required: true };
export const maybeText = { type: String, default: null };
export const maybeWhen = { type: Date, default: null };
export const count = { type: Number, required: true };
export const list = { type: [String], default: [] };
export const any = { type: Mixed, default: null };

export function schemaOf<Document>(fields: Record<string, unknown>, collection: string): Schema<Document> {
  const definition: Record<string, unknown> = { _id: text, workspaceId: text, ...fields };
  return new Schema<Document>(definition as SchemaDefinition<Document>, {
    collection,
    strict: 'throw',
    strictQuery: 'throw',
    versionKey: false,
    minimize: false,
    autoIndex: false,
    autoCreate: false,
    writeConcern: DURABLE,
  });
}
