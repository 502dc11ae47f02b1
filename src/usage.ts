/** What `tollgate help` says. */

export const usage = `Tollgate, an OpenID Connect provider

  tollgate [serve]       starts it (the default)
  tollgate check         says whether the configuration is good, and what is wrong with it
  tollgate keys list     says which signing keys there are, and what becomes of them
  tollgate keys rotate   makes new ones, which running processes take up by themselves
  tollgate revoke user ID, account ID, session ID, client ID
                         ends all access that it has, after a question
  tollgate revoke --all-before 2027-01-02T03:04:05Z
                         ends all access of everybody from before, when a key was stolen
  tollgate receivers list, receivers status [ID]
                         says who is told of events, and how that goes
  tollgate receivers add ID --url URL [--type session.ended …]
                         adds a webhook, and says once what its messages are signed with
  tollgate receivers rotate-secret ID [--end]
                         signs with a new secret as well; with --end, with the new one alone
  tollgate receivers test ID, remove ID, enable ID, disable ID
                         sends a test; takes one away; switches one on and off
  tollgate events list, events tail, events show ID
                         says what has happened in the last week, and who was told
  tollgate events replay ID …, events replay [--receiver ID] [--dead] [--since TIME]
                         sends it again, to one receiver or to all; --dead: what was given up
  tollgate stripe check  says what is missing at Stripe, or other than the configuration has it
  tollgate stripe push   says what it would make there; with --yes it makes what is missing
  tollgate stripe sync [ACCOUNT]
                         makes accounts what Stripe says, and says what was different
  tollgate mail list     says which e-mails wait, and which were given up; --dead: only these
  tollgate mail retry ID …, mail retry --dead
                         has them tried again, one or all that were given up
  tollgate users, accounts, members, invitations, sessions
                         shows and changes who there is: see \`tollgate help users\`
  tollgate import FILE   says what of a file of people and accounts would be written; with --yes
                         it is
  tollgate export [--out FILE]
                         writes all people and accounts, as import takes them
  tollgate version       says which version this is
  tollgate help          says this

  --config FILE      the configuration: .ts, .js or .json (default: TOLLGATE_CONFIG of the
                     environment, else tollgate.config.ts)
  --port NUMBER      listens there instead of at the configuration's \`port\`
  --host ADDRESS     listens there instead of at the configuration's \`host\`
  --alg ES256        of keys: only this algorithm, ES256 (access tokens) or RS256 (ID tokens)
  --yes              of stripe push and import: does it; of all else that changes something:
                     without a question
  --thin             of stripe push: asks for thin events instead of snapshots
  --type NAME        of receivers and events: only these, may be repeated
  --since TIME       of events: such as 2027-01-02T03:04:05Z
  --limit NUMBER     of events list and mail list: so many, 50 when not given
  --json             of all but serve and check: for programs

Secrets come from the environment: TOLLGATE_SECRET, or a file named by TOLLGATE_SECRET_FILE.
docs/configuration.md has all keys. Run from sources, \`tollgate\` is \`npm start --\`.
`;

export const usageOfPeople = `Tollgate: people and accounts. What changes something says so first, and asks; with --yes it does not ask.

  tollgate users list [--status active|disabled|deleted] [--idle 90d] [--email ADDRESS]
  tollgate users list --issuer ISSUER --subject SUBJECT
                         who there is; whom nobody has seen for so long; who an identity is
  tollgate users show USER, disable USER, enable USER
                         with identities and memberships; locks out and in
  tollgate users delete USER [--now], keep USER
                         after the waiting time, or at once; takes that back
  tollgate users link USER --provider ID --subject SUBJECT [--issuer ISSUER]
  tollgate users unlink USER --issuer ISSUER --subject SUBJECT
                         adds and takes away a way to sign in
  tollgate accounts list [--status active|closing|closed] [--idle 90d]
                         with owners, plans and seats; which nobody uses
  tollgate accounts show ACCOUNT, rename ACCOUNT NAME
  tollgate accounts create NAME --owner USER
                         for whom you invite then: see docs/operators.md
  tollgate accounts owner ACCOUNT USER
                         makes somebody an owner: also where the only one has vanished
  tollgate accounts close ACCOUNT [--now|--at-period-end] [--feedback WORD] [--reason TEXT]
                         when what it pays for ends, or at once
  tollgate accounts keep ACCOUNT, reopen ACCOUNT [--owner USER]
                         takes a closing back; opens it again
  tollgate accounts reasons [--since TIME]
                         why accounts were closed, and plans cancelled
  tollgate members list ACCOUNT, add ACCOUNT USER [--role ROLE …], remove ACCOUNT USER
  tollgate members roles ACCOUNT USER --role ROLE …
  tollgate invitations list ACCOUNT, create ACCOUNT [--email ADDRESS] [--role ROLE …] [--locale TAG]
                         prints the link
  tollgate invitations resend|withdraw|confirm|decline ACCOUNT INVITATION
  tollgate sessions list USER, end SESSION
  tollgate import FILE [--report FILE]
                         --report: takes all problems; the terminal has the first hundred
  tollgate export [--out FILE]

  --limit NUMBER     of lists: so many, 100 when not given
  --after ID         of lists: goes on behind it
  --json             for programs

docs/operators.md has examples, and what a file to import looks like.
`;

/** Options of the commands about people and accounts, as the parser wants them. */
export const peopleOptions = {
  status: { type: 'string' },
  idle: { type: 'string' },
  email: { type: 'string' },
  provider: { type: 'string' },
  issuer: { type: 'string' },
  subject: { type: 'string' },
  role: { type: 'string', multiple: true },
  locale: { type: 'string' },
  feedback: { type: 'string' },
  reason: { type: 'string' },
  owner: { type: 'string' },
  after: { type: 'string' },
  out: { type: 'string' },
  report: { type: 'string' },
  now: { type: 'boolean', default: false },
  'at-period-end': { type: 'boolean', default: false },
} as const;
