/** What the page about all accounts of a person says. */

const plural = (count: number, one: string, many: string) => (count === 1 ? one : many);

export const accountsTexts = {
  title: 'Accounts',
  help: 'The accounts that you belong to.',
  none: 'You belong to no account at the moment.',
  noneAdvice: 'Somebody who is in an account can invite you.',
  current: 'In use',
  use: 'Use',
  members: 'Members',
  leave: 'Leave',
  yours: 'Your accounts',
  find: (count: number) => `Find one of your ${count} accounts`,
  search: 'Search',
  nothingFound: (search: string) => `None of your accounts has “${search}” in its name.`,
  showAll: 'Show all accounts',
  more: 'More accounts',
  less: 'Back',
  invited: {
    title: 'You are invited',
    accept: 'Join',
    refuse: 'Decline',
    as: (role: string) => `As ${role}`,
    waiting: 'Somebody in the account has to let you in.',
    cancel: 'Do not wait',
  },
  offers: {
    title: 'From your e-mail address',
    ask: 'Ask to join',
    join: 'Join',
    because: (domain: string) => `For people with an address at ${domain}`,
  },
  leaving: {
    title: (account: string) => `Leave ${account}?`,
    sentence: (account: string) =>
      `You can no longer use ${account}, in any app, from this moment on. What you made there stays. To come back, you have to be invited again.`,
    button: (account: string) => `Leave ${account}`,
    back: 'Stay',
    lastOwner: {
      title: (account: string) => `You are the only owner of ${account}`,
      sentence: 'An account needs an owner, so you cannot leave it as it is.',
      handOver: 'Make somebody else an owner',
      close: 'Close the account',
    },
  },
  done: {
    left: 'You left the account.',
    joined: 'You are a member now.',
    asked: 'You asked to join. Somebody in the account has to let you in.',
    refused: 'You declined.',
    gone: 'That is not offered to you any more.',
  },
  count: (count: number) => `${count} ${plural(count, 'account', 'accounts')}`,
};
