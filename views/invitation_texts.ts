/** What the pages of an invitation say. */

export const invitationTexts = {
  lost: {
    title: 'Open your invitation again',
    sentence: 'This browser does not know which invitation you mean.',
    advice:
      'Open the link in the e-mail again, or the one that somebody gave you. It has to be whole.',
  },
  open: {
    title: (account: string) => `Join ${account}`,
    by: (by: string, account: string) => `${by} invited you to ${account}.`,
    byNobody: (account: string) => `You are invited to ${account}.`,
    role: (roles: string) => `Your role there: ${roles}.`,
    signIn: 'Sign in and join',
    newHere: 'If you are new here, signing in is all that it takes.',
    accept: (account: string) => `Join ${account}`,
    decline: 'No, thanks',
  },
  other: {
    signedIn: (who: string) => `You are signed in as ${who}.`,
    sentTo: (email: string) => `This invitation was sent to ${email}.`,
    advice:
      'If that is your address as well, sign in with it. You can also ask to join as you are: somebody there has to say yes.',
    ask: 'Ask to join as I am',
  },
  asked: {
    title: 'You have asked to join',
    sentence: (account: string) => `Somebody at ${account} has to say yes to it.`,
    advice: 'Once they have, sign in again and you are in. You can close this page.',
  },
  member: {
    title: (account: string) => `You are in ${account}`,
    sentence: 'You belong to this account already. There is nothing left to do.',
  },
  over: {
    expired: {
      title: 'This invitation has run out',
      sentence: (account: string) => `It was for ${account}, and it could be accepted for a while.`,
    },
    accepted: {
      title: 'This invitation was used',
      sentence: (account: string) =>
        `It was for one person, who is in ${account} by now. If that was you, sign in as you did then.`,
    },
    other: {
      title: 'This invitation is no longer open',
      sentence: (account: string) => `It was for ${account}, and was taken back or answered.`,
    },
    advice: 'Ask whoever invited you for another one.',
  },
  closed: {
    title: 'This account is closed',
    sentence: 'Nobody can join it any more.',
    named: (account: string) => `${account} is closed. Nobody can join it any more.`,
  },
  full: {
    title: 'There is no free place right now',
    sentence: (account: string) => `All places that ${account} pays for are taken.`,
    advice: 'Ask whoever invited you to get one more, then try again. Your invitation stays open.',
    again: 'Try again',
  },
  declined: {
    title: 'You did not join',
    theirs: (account: string) => `You have said no to the invitation to ${account}.`,
    sentence: (account: string) => `You have not joined ${account}.`,
  },
  offers: {
    look: (account: string) => `See the invitation to ${account}`,
    waiting: (account: string) =>
      `You have asked to join ${account}. Somebody there has to say yes.`,
    join: (account: string) => `Join ${account}`,
    ask: (account: string) => `Ask to join ${account}`,
  },
};
