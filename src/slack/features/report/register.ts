/** `/connections report`: the load report, and whether it comes every week. */
import type { KnownBlock } from '@slack/types';
import { loadReportMessage } from '../../../../blocks/load-report.js';
import type { Register, SlackEdge } from '../../edge.js';
import { onClick } from '../../handle.js';
import { ACTIONS } from '../../ids.js';
import { tellUser } from '../../tell.js';

/** @throws AppError `forbidden` */
export async function reportMessage(
  edge: SlackEdge,
  userId: string,
): Promise<{ text: string; blocks: KnownBlock[] }> {
  const { loadReports } = edge.services;
  const report = await loadReports.reportFor(userId);
  return loadReportMessage(
    report,
    (await loadReports.isSubscribed(userId)) ? 'subscribed' : 'not_subscribed',
  );
}

export const registerReport: Register = (edge) => {
  const { loadReports } = edge.services;
  onClick(edge, ACTIONS.reportWeekly, async ({ userId, body }) => {
    await loadReports.subscribe(userId, true);
    await tellUser(edge, body, ':calendar: The report comes to you by DM every week from now on.');
  });
  onClick(edge, ACTIONS.reportStop, async ({ userId, body }) => {
    await loadReports.subscribe(userId, false);
    await tellUser(edge, body, ':white_check_mark: The weekly report does not come any more.');
  });
};
