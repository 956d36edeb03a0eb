/** Every command, action, view and event id that Slack and we exchange. `feature.verb`. */
export const COMMANDS = {
  connections: '/connections',
  executions: '/executions',
  approvals: '/approvals',
} as const;

export const SHORTCUTS = { open: 'siesta.open' } as const;

export const EVENTS = ['app_home_opened', 'app_uninstalled', 'tokens_revoked', 'user_change'] as const;

export const ACTIONS = {
  approve: 'approval.approve',
  deny: 'approval.deny',
  details: 'approval.details',
  pageBack: 'approval.page_back',
  pageOn: 'approval.page_on',

  authorizationConnect: 'authorization.connect',
  authorizationNewLink: 'authorization.new_link',
  authorizationAllow: 'authorization.allow',
  authorizationRefuse: 'authorization.refuse',
  authorizationRevoke: 'authorization.revoke',
  consentRevoke: 'consent.revoke',

  connectionAdd: 'connection.add',
  connectionOpen: 'connection.open',
  connectionShow: 'connection.show',
  connectionPage: 'connection.page',
  connectionChoose: 'connection.choose_connector',
  connectionConnect: 'connection.connect',
  connectionDisconnect: 'connection.disconnect',
  connectionEdit: 'connection.edit',
  connectionPolicy: 'connection.policy',
  connectionAccess: 'connection.access',
  connectionFunctions: 'connection.functions',
  connectionReread: 'connection.reread',
  connectionMoreFunctions: 'connection.more_functions',
  connectionSecretLink: 'connection.secret_link',
  connectionNewLink: 'connection.new_link',
  connectionReconnect: 'connection.reconnect',
  connectionReviewScopes: 'connection.review_scopes',
  connectionTest: 'connection.test',
  connectionPause: 'connection.pause',
  connectionResume: 'connection.resume',
  connectionRemove: 'connection.remove',
  functionSearch: 'connection.search_functions',
  groupSearch: 'usergroup.search',

  ruleAdd: 'policy.add_rule',
  ruleEdit: 'policy.edit_rule',
  ruleUp: 'policy.move_rule_up',
  ruleRemove: 'policy.remove_rule',

  accessGive: 'access.give',
  accessChange: 'access.change',
  accessRemove: 'access.remove',

  callerAdd: 'caller.add',
  callerOpen: 'caller.open',
  callerShow: 'caller.show',
  callerPage: 'caller.page',
  callerGive: 'caller.give_access',
  callerPause: 'caller.pause',
  callerResume: 'caller.resume',
  callerRotate: 'caller.rotate',
  callerRevoke: 'caller.revoke',
  callerSearch: 'caller.search',
  linkOpened: 'link.opened',

  executionOpen: 'execution.open',
  executionMore: 'execution.more',

  settingsOpen: 'settings.open',
  settingsTestChannel: 'settings.test_channel',
} as const;

export const VIEWS = {
  approvalDetails: 'approval.details',
  approvalDeny: 'approval.deny',
  connectionAdd: 'connection.add',
  connectionFunctions: 'connection.functions',
  connectionReread: 'connection.reread',
  connectionReview: 'connection.review',
  connectionApprovers: 'connection.approvers',
  connectionDetail: 'connection.detail',
  connectionEdit: 'connection.edit',
  connectionPolicy: 'connection.policy',
  connectionRule: 'policy.rule',
  connectionAccess: 'connection.access',
  connectionAccessForm: 'access.form',
  connectionRemove: 'connection.remove',
  pause: 'connection.pause',
  callers: 'caller.list',
  callerAdd: 'caller.add',
  callerDetail: 'caller.detail',
  callerGive: 'caller.give_access',
  executionDetail: 'execution.detail',
  settings: 'settings.edit',
} as const;
