import { type SlackEdge, sentence } from './edge.js';

export interface Place {
  readonly user: { readonly id: string };
  readonly channel?: { readonly id: string } | undefined;
}

/** Tells one person something: where she clicked if only she sees it there, otherwise in her DM. */
export async function tellUser(edge: SlackEdge, place: Place, text: string): Promise<void> {
  const { fast } = edge.clients;
  const message = { text, blocks: sentence(text) };
  try {
    if (!place.channel) throw new Error('no channel to answer in');
    await fast.chat.postEphemeral({ channel: place.channel.id, user: place.user.id, ...message });
  } catch {
    await edge.services.outbox.notify(place.user.id, message);
  }
}
