/** What the list of apps says. */

export const launchTexts = {
  title: 'Open an app',
  help: (company: string) => `The apps of ${company}. You are signed in to all of them already.`,
  none: 'There is no app to open here.',
  for: (account: string) => `For ${account}`,
  open: 'Open',
  confirm: {
    title: (app: string) => `Open ${app}?`,
    sentence: (account: string) => `You will use it for ${account}.`,
    open: (app: string) => `Open ${app}`,
    list: 'See all apps',
  },
};
