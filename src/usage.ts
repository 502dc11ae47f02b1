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
  tollgate version       says which version this is
  tollgate help          says this

  --config FILE      the configuration: .ts, .js or .json (default: TOLLGATE_CONFIG of the
                     environment, else tollgate.config.ts)
  --port NUMBER      listens there instead of at the configuration's \`port\`
  --host ADDRESS     listens there instead of at the configuration's \`host\`
  --alg ES256        of keys: only this algorithm, ES256 (access tokens) or RS256 (ID tokens)
  --yes              of revoke: without a question; of stripe push: makes it
  --thin             of stripe push: asks for thin events instead of snapshots
  --type NAME        of receivers and events: only these, may be repeated
  --since TIME       of events: such as 2027-01-02T03:04:05Z
  --limit NUMBER     of events list and mail list: so many, 50 when not given
  --json             of all but serve and check: for programs

Secrets come from the environment: TOLLGATE_SECRET, or a file named by TOLLGATE_SECRET_FILE.
docs/configuration.md has all keys. Run from sources, \`tollgate\` is \`npm start --\`.
`;
