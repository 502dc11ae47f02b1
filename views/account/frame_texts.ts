/** What the frame of the pages under `/account` says, and what all of them share. */

export const frameTexts = {
  navigation: 'Your account pages',
  you: 'You',
  tabs: {
    profile: 'Profile',
    identities: 'Ways to sign in',
    sessions: 'Devices',
    apps: 'Apps',
    accounts: 'Accounts',
    data: 'Your data',
    launch: 'Open an app',
    members: 'Members',
    billing: 'Billing',
    settings: 'Settings',
    activity: 'Activity',
  },
  problem: {
    title: 'There is a problem',
  },
  noRight: {
    title: 'You may not do this',
    sentence: (account: string) =>
      `In ${account}, this is for owners, or for people with another role than yours.`,
    advice: 'Ask an owner of the account.',
  },
  newer: 'Newer',
  older: 'Older',
  previous: 'Previous',
  next: 'Next',
  back: 'Back',
};
