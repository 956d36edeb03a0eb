/** What there is to say about the marks of the fields as a whole, such as that they are missing. */
import type { KnownBlock } from '@slack/types';
import { context, said } from './text.js';

const NOTE = 300;

export function marksNoteBlocks(note: string | null | undefined): KnownBlock[] {
  return note ? [context(`:mag: ${said(note, NOTE)}`)] : [];
}
