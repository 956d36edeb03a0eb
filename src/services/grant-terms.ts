/** For how long, and within which limits, a grant is made: as the form of it asks. Pure. */
import { AppError } from '../errors.js';
import type { ScopeChoice } from './grant-scope.js';

export const MOST_USES = 100;

/** `chosen` are places in the list of choices that the call offers. */
export type GrantTerms =
  | { readonly kind: 'hour' | 'day'; readonly chosen: readonly number[] }
  | { readonly kind: 'uses'; readonly uses: number; readonly chosen: readonly number[] };

/** @throws AppError `invalid_arguments` with the path of the input */
export function checkTerms(terms: GrantTerms, choices: readonly ScopeChoice[], needsLimit: boolean): void {
  if (terms.kind === 'uses' && !(Number.isInteger(terms.uses) && terms.uses >= 1 && terms.uses <= MOST_USES))
    throw new AppError('invalid_arguments', `Give a whole number, 1 to ${MOST_USES}.`, { path: '/uses' });
  if (terms.chosen.some((index) => choices[index] === undefined))
    throw new AppError('invalid_arguments', 'The form is out of date. Open it again.', { path: '/limits' });
  if (needsLimit && terms.chosen.length === 0)
    throw new AppError('invalid_arguments', 'Choose at least one thing that has to stay the same.', {
      path: '/limits',
    });
}
