/** `/connections report`: the load report, and whether it comes every week. */
import type { KnownBlock } from '@slack/types';
import { loadReportMessage } from '../../../../blocks/load-report.js';
import type { LoadReport } from '../../../../models/types.js';
import type { Register, SlackEdge } from '../../edge.js';
import { onClick } from '../../handle.js';
import { ACTIONS } from '../../ids.js';
import { sharePicture } from '../../picture.js';
import { reportPicture } from '../../report-picture.js';
import { tellUser } from '../../tell.js';

/** @throws AppError `forbidden` */
export async function reportMessage(
  edge: SlackEdge,
  userId: string,
): Promise<{ text: string; blocks: KnownBlock[] }> {
  const { loadReports } = edge.services;
  const report = await loadReports.reportFor(userId);
  // Pictures go into conversations only, and the answer to a command is none: it follows in her DM.
  if (report.totals.asked > 0) void sendPicture(edge, userId, report);
  return loadReportMessage(
    report,
    (await loadReports.isSubscribed(userId)) ? 'subscribed' : 'not_subscribed',
  );
}

async function sendPicture(edge: SlackEdge, userId: string, report: LoadReport): Promise<void> {
  try {
    const { channel } = await edge.clients.patient.conversations.open({ users: userId });
    if (channel?.id) await sharePicture(edge.clients.patient, channel.id, reportPicture(report));
  } catch (error) {
    edge.log.warn({ err: error }, 'the picture of the report was not shared');
  }
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
