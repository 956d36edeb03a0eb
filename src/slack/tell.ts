import { sentenceMessage } from '../../blocks/sentence.js';
import type { SlackEdge } from './edge.js';

export interface Place {
  readonly user: { readonly id: string };
  readonly channel?: { readonly id: string } | undefined;
}

/** Tells one person something: where she clicked if only she sees it there, otherwise in her DM. */
export async function tellUser(edge: SlackEdge, place: Place, text: string): Promise<void> {
  const { fast } = edge.clients;
  try {
    if (!place.channel) throw new Error('no channel to answer in');
    await fast.chat.postEphemeral({
      channel: place.channel.id,
      user: place.user.id,
      ...sentenceMessage(text),
    });
  } catch {
    await edge.services.outbox.notify(place.user.id, { kind: 'sentence', text });
  }
}
