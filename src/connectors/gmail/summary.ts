/** Who wrote what: a mail without its text. */
import type { CallContext, CardField } from '../framework.js';
import { type JsonObject, textOf } from '../json.js';
import { callGmail } from './api.js';
import { summaryOf } from './message.js';

const HEADERS = ['From', 'To', 'Cc', 'Subject', 'Date'] as const;

/** Gmail lists ids alone; a caller that searches wants to know what it found. @throws UpstreamError */
export async function fetchSummary(context: CallContext, messageId: string): Promise<JsonObject> {
  const query = { format: 'metadata', metadataHeaders: HEADERS };
  return summaryOf(await callGmail(context, 'GET', ['messages', messageId], { query }));
}

/** A mail in one line of a card: `Lunch? (from ada@example.com, 2026-05-01T10:00:00.000Z)`. */
export function mailField(mail: JsonObject): CardField {
  const subject = textOf(mail.subject) || '(no subject)';
  return {
    label: 'Mail',
    value: `${subject} (from ${textOf(mail.from)}, ${textOf(mail.date)})`,
    kind: 'short',
  };
}
