/** The smallest things that are told: one sentence, in a message or in a modal. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { modal } from './parts/inputs.js';
import { section } from './parts/text.js';

/** `text` is mrkdwn in which every value was escaped. */
export function sentence(text: string): KnownBlock[] {
  return [section(text)];
}

/** A message that is one sentence. */
export function sentenceMessage(text: string): { text: string; blocks: KnownBlock[] } {
  return { text, blocks: sentence(text) };
}

/** A modal that shows one sentence: progress, an error, or good news. */
export function sentenceModal(title: string, text: string): View {
  return modal({ title, blocks: sentence(text) });
}
