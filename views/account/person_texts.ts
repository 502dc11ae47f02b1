/** What the pages say on which people look after themselves: profile, ways to sign in, devices, apps. */

const plural = (count: number, one: string, more: string) => (count === 1 ? one : more);

export const personTexts = {
  profile: {
    title: 'Profile',
    help: 'This is what your apps know of you.',
    email: 'E-mail address',
    noEmail: 'None',
    verified: 'Confirmed',
    unverified: 'Not confirmed',
    emailHelp: (provider: string) => `It comes from ${provider}, and can only be changed there.`,
    providers: 'where you sign in',
    picture: 'Your apps may show the picture that you have where you sign in.',
    name: 'Name',
    locale: 'Language',
    localeHelp: 'For apps that speak it.',
    noLocale: 'Not said',
    save: 'Save',
    own: 'You typed some of this yourself, so it stays when you sign in.',
    forget: 'Use what my sign-in says instead',
    nameProblem: (longest: number) => `Type a name of 1 to ${longest} letters, digits or signs.`,
    localeProblem: 'Choose one of the languages.',
    done: {
      saved: 'Saved. Apps see it the next time they ask.',
      forgotten: 'What your sign-in says of you counts again.',
    },
  },
  identities: {
    title: 'Ways to sign in',
    help: 'Each of these opens the door. With more than one, you still get in when one is lost.',
    last: 'last used',
    since: (date: string) => `Since ${date}`,
    used: (date: string) => `last used on ${date}`,
    remove: 'Remove',
    removeNamed: (name: string) => `Remove ${name}`,
    only: 'This is the only one, so it stays. Add another one before you remove it.',
    gone: 'No longer offered here',
    addTitle: 'Add another one',
    addHelp:
      'You sign in there once, and from then on you come in either way. It is yours alone: an equal e-mail address is not enough to get in.',
    add: (name: string) => `Add ${name}`,
    removeTitle: (name: string) => `Remove ${name}?`,
    removeHelp: (name: string, email: string | undefined) =>
      email === undefined
        ? `You cannot sign in with ${name} any more.`
        : `You cannot sign in with ${name} (${email}) any more.`,
    removeStays:
      'Your accounts stay, and devices that are signed in stay signed in. Whoever signs in with it from now on comes in as somebody new, if at all.',
    keep: 'Keep it',
    done: {
      added: 'Added. You can sign in either way now.',
      known: 'You could sign in that way already.',
      removed:
        'Removed. Devices that came in that way stay signed in: sign them out under Devices.',
      gone: 'It was removed already.',
    },
  },
  sessions: {
    title: 'Devices',
    help: 'Where you are signed in here. If you do not know one of them, sign it out.',
    unknown: 'Unnamed device',
    current: 'This device',
    network: (network: string) => `Network ${network}`,
    since: (date: string) => `Signed in on ${date}`,
    by: (provider: string) => `with ${provider}`,
    apps: (names: string) => `Apps: ${names}`,
    end: 'Sign out',
    endNamed: (device: string) => `Sign out ${device}`,
    othersTitle: 'Everywhere else',
    othersHelp: 'Ends all of the others, and what apps got from them.',
    others: 'Sign out all others',
    allHelp: 'Or sign out everywhere, here too.',
    all: 'Sign out everywhere',
    noneHere: 'No device is signed in here at the moment.',
    done: {
      ended: 'That device is signed out.',
      over: 'That device was signed out already.',
      others: 'All others are signed out.',
    },
  },
  apps: {
    title: 'Apps',
    help: 'Apps that you signed in to, and what you allowed them.',
    empty: 'No app has access now. When you sign in to one, it stands here.',
    gone: 'An app that is no longer here',
    foreign: 'Another company’s app',
    since: (date: string) => `Since ${date}`,
    accounts: (names: string) => `For ${names}`,
    more: (count: number) => `${count} ${plural(count, 'more account', 'more accounts')}`,
    allowed: 'You allowed it. It has nothing at the moment.',
    signOut: 'Sign out',
    signOutNamed: (app: string) => `Sign out of ${app}`,
    revoke: 'Remove access',
    revokeNamed: (app: string) => `Remove the access of ${app}`,
    note: 'An app may go on for a few minutes, until it asks here again. Opening one of our own apps on a device where you are signed in signs you in again.',
    done: {
      ended: 'The app is signed out, and has to ask again.',
      over: 'The app had no access any more.',
    },
  },
};
