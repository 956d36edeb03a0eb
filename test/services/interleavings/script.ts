/** What may happen in an interleaving, and how interleavings are made up. */
import fc from 'fast-check';
import type { Setting } from './world.js';

/** Besides going on: each interleaving is about a few of these, so that what belongs together meets often. */
const THEMES = [
  ['submit', 'submit', 'cancel'],
  ['approve', 'approve an old card', 'deny', 'edit, then approve'],
  ['settle', 'take', 'sweep'],
  ['expire', 'time passes'],
  ['the process dies', 'another process starts'],
  ['the process dies', 'take', 'sweep'],
  ['the process falls asleep', 'the process wakes'],
  ['pause', 'resume', 'pause', 'resume', 'expire', 'expire', 'settle'],
  ['change the policy', 'replace the credential'],
  ['the target changes', 'the target changes', 'sweep'],
  ['make a grant', 'make a grant', 'revoke a grant', 'submit'],
  ['go away', 'come back', 'approve', 'an approver leaves'],
  ['Slack is silent', 'an approver leaves'],
  ['the outside system', 'say what became of it', 'ask again', 'time passes'],
  ['the member allows', 'the member refuses', 'submit', 'change the policy'],
] as const;

/** `go on`: whatever comes next for a call, so that it gets somewhere. */
export type What = 'go on' | (typeof THEMES)[number][number];
export const WHATS: readonly What[] = [...new Set<What>(['go on', ...THEMES.flat()])];

export const CALLS = {
  a: { id: 'r1', title: 'a', onBehalfOf: null },
  b: { id: 'r1', title: 'b', onBehalfOf: null },
  c: { id: 'r2', title: 'c', onBehalfOf: null },
  m: { id: 'r1', title: 'm', onBehalfOf: 'U0MIA' },
} as const;
export type CallName = keyof typeof CALLS;

const DECIDERS = ['U0BEN', 'U0CLEO', 'U0DANA', 'U0BENNY', 'U0EVE', 'U0ADA'] as const;

export interface Step {
  readonly do: What;
  readonly call: CallName;
  readonly by: (typeof DECIDERS)[number];
  /** The process that it happens in, if it happens in one. */
  readonly at: 0 | 1;
  /** Which of several ways, or how much later. */
  readonly n: number;
}

export interface Interleaving {
  readonly setting: Setting;
  /** Those of a group happen at once. */
  readonly groups: readonly (readonly Step[])[];
}

const weighted = <T>(...choices: readonly (readonly [number, T])[]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

/** `which`: null goes on, a number is one of what the interleaving is about. */
const step = fc.record({
  which: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: fc.nat(999) }),
  call: weighted<CallName>([6, 'a'], [3, 'b'], [1, 'c'], [2, 'm']),
  by: weighted(...DECIDERS.map((id, at) => [[6, 6, 3, 2, 2, 1][at] ?? 1, id] as const)),
  at: fc.constantFrom<(0 | 1)[]>(0, 1),
  n: fc.nat(23),
});

const setting = fc.record<Setting>({
  quorum: weighted<1 | 2>([3, 1], [1, 2]),
  target: weighted<Setting['target']>([2, 'condition'], [1, 'read again']),
  targetCheck: weighted<Setting['targetCheck']>([1, 'required'], [3, 'best_effort'], [1, 'off']),
  choices: fc.array(fc.nat(11), { minLength: 1, maxLength: 40, size: 'max' }),
});

const several = <T>(each: fc.Arbitrary<T>, minLength: number, maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(each, { minLength, maxLength, size: 'max' });

export const interleaving: fc.Arbitrary<Interleaving> = fc.noBias(
  fc
    .record({
      setting,
      themes: fc.subarray([...THEMES], { minLength: 1, maxLength: 4 }),
      first: step,
      groups: several(several(step, 1, 3), 2, 9),
    })
    .map(({ themes, first, groups, ...rest }) => {
      const about = themes.flat();
      const made = ({ which, ...each }: typeof first): Step => ({
        do: which === null ? 'go on' : (about[which % about.length] ?? 'go on'),
        ...each,
      });
      // Something has to be asked for before anything can happen to it.
      const submit: Step = { ...made(first), do: 'submit' };
      return { ...rest, groups: [[submit], ...groups.map((group) => group.map(made))] };
    }),
);
