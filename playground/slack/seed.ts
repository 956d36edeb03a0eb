import type { Channel, User, UserGroup } from './protocol.js';

export const TEAM = { id: 'T0SIESTA', name: 'Siesta Playground', domain: 'siesta-playground' };
export const APP = {
  id: 'A0SIESTA',
  bot_user: 'U0SIESTABOT',
  bot_id: 'B0SIESTA',
  name: 'Siesta Connections',
};

export interface Seed {
  readonly users: readonly User[];
  readonly channels: readonly Channel[];
  readonly groups: readonly UserGroup[];
}

type Given<T, K extends keyof T> = Partial<T> & Pick<T, K>;

/** A whole user from what matters about them; everybody is an ordinary, present member unless said otherwise. */
export function user(given: Given<User, 'id' | 'name'>): User {
  return {
    real_name: given.name,
    role: 'member',
    color: '4a6fa5',
    tz: 'Europe/Berlin',
    email: given.is_bot ? '' : `${given.name.toLowerCase()}@siesta.example`,
    is_bot: false,
    is_admin: false,
    is_owner: false,
    is_restricted: false,
    is_ultra_restricted: false,
    is_stranger: false,
    deleted: false,
    ...given,
  };
}

export function channel(given: Given<Channel, 'id' | 'name'>): Channel {
  return { kind: 'channel', topic: '', members: [], is_private: false, is_archived: false, ...given };
}

export function userGroup(given: Given<UserGroup, 'id' | 'handle'>): UserGroup {
  return { name: given.handle, users: [], deleted: false, ...given };
}

/** The people and places of PLAYGROUND: a fresh copy at every call, because tests change it. */
export function defaultSeed(): Seed {
  const people = ['U0ADA', 'U0BEN', 'U0CLEO', 'U0DANA'];
  return {
    users: [
      user({
        id: 'U0ADA',
        name: 'ada',
        real_name: 'Ada',
        role: 'admin',
        color: '8a4b7d',
        tz: 'Europe/Madrid',
        is_admin: true,
        is_owner: true,
      }),
      user({
        id: 'U0BEN',
        name: 'ben',
        real_name: 'Ben',
        role: 'approver',
        color: '2f6f8f',
        tz: 'America/New_York',
      }),
      user({
        id: 'U0CLEO',
        name: 'cleo',
        real_name: 'Cleo',
        role: 'member',
        color: 'a8612a',
        tz: 'Europe/Berlin',
        manager: 'U0BEN',
      }),
      user({
        id: 'U0DANA',
        name: 'dana',
        real_name: 'Dana',
        role: 'auditor',
        color: '4f7a4a',
        tz: 'Asia/Tokyo',
      }),
      user({
        id: APP.bot_user,
        name: 'siesta_connections',
        real_name: APP.name,
        role: 'app',
        color: '2b2f3a',
        tz: 'Etc/UTC',
        is_bot: true,
      }),
    ],
    channels: [
      channel({
        id: 'C0GENERAL',
        name: 'general',
        topic: 'Everybody, everything',
        members: [...people, APP.bot_user],
      }),
      channel({
        id: 'C0APPROVALS',
        name: 'approvals',
        topic: 'What agents ask for',
        members: [...people, APP.bot_user],
      }),
      channel({ id: 'C0RANDOM', name: 'random', topic: 'The app is not in here', members: [...people] }),
    ],
    groups: [userGroup({ id: 'S0FINANCE', handle: 'finance', name: 'Finance', users: ['U0BEN', 'U0DANA'] })],
  };
}
