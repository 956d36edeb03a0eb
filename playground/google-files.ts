/** The folders and files that are in each Drive of the playground at the start. */
import { ACCOUNTS, PEOPLE } from './google-accounts.js';

export interface SeedFile {
  readonly id: string;
  readonly user_email: string;
  readonly name: string;
  readonly mime_type: string;
  readonly parent_ids: readonly string[];
  readonly data?: string;
}

const REFUNDS = `# Returns and refunds

A customer may send anything back within 30 days. We pay the parcel when the fault is ours.
Refunds go to the card that was charged, within five working days.
`;
const HOURS = `The helpdesk answers on working days from 8:00 to 18:00.
Outside these hours a machine takes notes. In August we close at 14:00: siesta.
`;
const SALARIES = `name,grade
Ada Okafor,7
Ben Lindqvist,6
Cleo Marchetti,6
`;

/** A folder that a connection may be limited to, and one file outside of it. As emulate takes them. */
export function seedFiles(): SeedFile[] {
  return PEOPLE.flatMap((person) => {
    const user_email = ACCOUNTS[person];
    const folder = `${person}-support-faq`;
    const inFolder = { user_email, parent_ids: [folder] };
    return [
      {
        id: folder,
        user_email,
        name: 'Support FAQ',
        mime_type: 'application/vnd.google-apps.folder',
        parent_ids: ['root'],
      },
      {
        ...inFolder,
        id: `${person}-returns-and-refunds`,
        name: 'Returns and refunds.md',
        mime_type: 'text/markdown',
        data: REFUNDS,
      },
      {
        ...inFolder,
        id: `${person}-opening-hours`,
        name: 'Opening hours.txt',
        mime_type: 'text/plain',
        data: HOURS,
      },
      {
        id: `${person}-salaries`,
        user_email,
        name: 'Salaries.csv',
        mime_type: 'text/csv',
        parent_ids: ['root'],
        data: SALARIES,
      },
    ];
  });
}
