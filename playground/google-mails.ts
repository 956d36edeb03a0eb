/** The mails that are in the playground's mailboxes at the start. */
import { ACCOUNTS } from './google-accounts.js';

export interface SeedMail {
  readonly user_email: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly body_text: string;
  readonly label_ids: readonly string[];
  readonly date: string;
}

/** As emulate takes them. */
export function seedMails(now: Date): SeedMail[] {
  const ago = (hours: number): string => new Date(now.getTime() - hours * 3_600_000).toISOString();
  const unread = ['INBOX', 'UNREAD'];
  return [
    {
      user_email: ACCOUNTS.cleo,
      from: 'Marta Reyes <marta@northwind.example>',
      to: ACCOUNTS.cleo,
      subject: 'Invoice of March shows an empty page',
      body_text: 'Hello Cleo,\n\ninvoice 2291 opens as an empty page here. Could you send it again?\n\nMarta',
      label_ids: unread,
      date: ago(27),
    },
    {
      user_email: ACCOUNTS.cleo,
      from: `Ben Lindqvist <${ACCOUNTS.ben}>`,
      to: ACCOUNTS.cleo,
      subject: 'Agenda for Thursday',
      body_text: 'Three points: the coffee machine, the new laptops, and who writes the minutes.\n\nBen',
      label_ids: unread,
      date: ago(5),
    },
    {
      user_email: ACCOUNTS.ben,
      from: 'Facilities <facilities@siesta.example>',
      to: ACCOUNTS.ben,
      subject: 'Coffee machine, third floor',
      body_text: 'We come by on Thursday at nine. Please do not feed it before.',
      label_ids: unread,
      date: ago(46),
    },
    {
      user_email: ACCOUNTS.ada,
      from: `Cleo Marchetti <${ACCOUNTS.cleo}>`,
      to: ACCOUNTS.ada,
      subject: 'Can agents read my mail?',
      body_text:
        'I would like the assistant to draft answers for me, but not to send them by itself. Can we do that?',
      label_ids: unread,
      date: ago(8),
    },
  ];
}
