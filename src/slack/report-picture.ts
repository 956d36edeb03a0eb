/** The load report's picture, as the weekly DM and the command bring it. */
import { loadReportPicture } from '../../blocks/load-report-picture.js';
import type { LoadReport } from '../../models/types.js';
import type { Picture } from './picture.js';

export function reportPicture(report: LoadReport): Picture {
  const to = report.to.toISOString().slice(0, 10);
  return {
    svg: loadReportPicture(report),
    name: `approvals-${to}.png`,
    text: `Approvals of the seven days to ${to}, as a picture of the report.`,
  };
}
