/** Who has a Google account in the playground. */

export const ACCOUNTS = {
  ada: 'ada@siesta.example',
  ben: 'ben@siesta.example',
  cleo: 'cleo@siesta.example',
} as const;

export const NAMES: Readonly<Record<keyof typeof ACCOUNTS, string>> = {
  ada: 'Ada Okafor',
  ben: 'Ben Lindqvist',
  cleo: 'Cleo Marchetti',
};

/** Short names, in the order in which the sign-in page offers the accounts. */
export const PEOPLE = ['ada', 'ben', 'cleo'] as const;
