/** Google Drive: files, folders and who may see them; on request limited to chosen folders and shared drives. */
import { z } from 'zod';
import { defineConnector, type FunctionDefinition, type JsonValue } from '../framework.js';
import { googleAuth, impersonate, impersonateField } from '../google/auth.js';
import { objectOf, textOf } from '../json.js';
import { callDrive, DRIVE_PATH, SCOPES, UPLOAD_PATH } from './api.js';
import { contentFunctions } from './content.js';
import { creatingFunctions } from './creating.js';
import { detailFunctions } from './details.js';
import { findingFunctions } from './finding.js';
import { chosenPlaces, limitsOf } from './limits.js';
import { organisingFunctions } from './organising.js';
import { sharingFunctions } from './sharing.js';

type Config = Readonly<Record<string, JsonValue>>;

const functionsWith = (isPublic: boolean): readonly FunctionDefinition[] => [
  ...findingFunctions,
  ...contentFunctions,
  ...detailFunctions,
  ...creatingFunctions,
  ...organisingFunctions,
  ...sharingFunctions(isPublic),
];
const peopleOnly = functionsWith(false);
const alsoPublic = functionsWith(true);

/**
 * What stands for `drive.file`, the least that a write needs: it reaches what this app created itself. Folders that
 * people chose are not among that: there, or where an admin says so, writes need `drive`.
 */
function scopesOfWrites(config: Config): readonly string[] {
  const isLimited = limitsOf(config) !== null;
  const reach = config.may_change ?? (isLimited ? 'all_files' : 'own_files');
  if (reach === 'all_files') return [SCOPES.all];
  // The limits are checked by reading the folders above an item, which are other people's.
  return isLimited ? [SCOPES.own, SCOPES.metadata] : [SCOPES.own];
}

export const googleDriveConnector = defineConnector({
  id: 'google_drive',
  title: 'Google Drive',
  description: 'Find, read, write, sort and share files of Google Drive and its shared drives.',
  identities: ['shared', 'private'],
  auth: googleAuth('it reaches only the folders that are shared with it, and depends on no person'),
  fields: [
    {
      name: 'folders',
      label: 'Folders it may use',
      kind: 'multiline',
      optional: true,
      hint: 'Ids or addresses, one a line. Left empty together with the shared drives: everything that the account can reach.',
      placeholder: 'https://drive.google.com/drive/folders/…',
    },
    {
      name: 'shared_drives',
      label: 'Shared drives it may use',
      kind: 'multiline',
      optional: true,
      hint: 'Ids or addresses, one a line.',
    },
    {
      name: 'may_change',
      label: 'Files it may change',
      kind: 'select',
      optional: true,
      hint: 'Left empty: all files in the chosen folders, or only its own where no folder is chosen.',
      options: [
        { value: 'own_files', label: 'Only files it created itself' },
        { value: 'all_files', label: 'All files the account may change' },
      ],
    },
    {
      name: 'allow_public_sharing',
      label: 'Sharing with anyone who has the link',
      kind: 'select',
      initial: 'no',
      options: [
        { value: 'no', label: 'Not possible' },
        { value: 'yes', label: 'Possible, after approval' },
      ],
    },
    impersonateField,
  ],
  notice:
    'For a shared Drive take a service account or a business account that several people look after, and name the folders it may use: every call is held to them. Begin with the functions that only read. A service account has no storage of its own: let it create files in a shared drive, or act for a person.',
  baseUrl: 'https://www.googleapis.com',
  config: z.strictObject({
    folders: chosenPlaces,
    shared_drives: chosenPlaces,
    may_change: z.exactOptional(z.enum(['own_files', 'all_files'])),
    allow_public_sharing: z.exactOptional(z.enum(['no', 'yes'])),
    impersonate,
  }),
  egress: (_config, baseUrl) => {
    const { origin } = new URL(baseUrl);
    return [DRIVE_PATH, UPLOAD_PATH].map((pathPrefix) => ({ origin, pathPrefix }));
  },
  functions(config) {
    const writing = scopesOfWrites(config);
    const all = config.allow_public_sharing === 'yes' ? alsoPublic : peopleOnly;
    return all.map((fn) => (fn.scopes.includes(SCOPES.own) ? { ...fn, scopes: writing } : fn));
  },
  async account(context) {
    const query = { fields: 'user(emailAddress)' };
    return textOf(objectOf((await callDrive(context, 'GET', ['about'], { query })).user).emailAddress);
  },
  proposedName: (config) => (limitsOf(config) === null ? 'Google Drive' : 'Google Drive - chosen folders'),
});
