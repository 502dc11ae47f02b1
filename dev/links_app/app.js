// All that a browser app needs: ask for a token, and call a service with it. The token lives in this
// variable and nowhere else; what keeps somebody signed in is a cookie that scripts cannot read.
const { tollgate, service } = document.documentElement.dataset;
let token;
const show = (id, text) => (document.getElementById(id).textContent = text);

/** Resolves to whether there is a token: 401 says that nobody is signed in. */
async function refresh() {
  const answer = await fetch(`${tollgate}/refresh`, { method: 'POST', credentials: 'include' });
  const body = await answer.json();
  token = answer.ok ? body.access_token : undefined;
  if (!answer.ok && answer.status !== 401) show('words', body.error.message);
  return answer.ok;
}

async function callService() {
  const ask = () => fetch(`${service}/api/me`, { headers: { authorization: `Bearer ${token}` } });
  let answer = await ask();
  // The token has run out: once more, with a new one.
  if (answer.status === 401 && (await refresh())) answer = await ask();
  const claims = await answer.json();
  show('answer', JSON.stringify(claims, null, 2));
  return claims;
}

/** Says at once that the session has ended, here or elsewhere, and that the token is out of date. */
function listen() {
  const events = new EventSource(`${tollgate}/session/events`, { withCredentials: true });
  events.addEventListener('changed', () => void showUser());
  events.addEventListener('ended', ({ data }) => {
    events.close();
    token = undefined;
    showSignedIn(false);
    show('words', `This session has ended: ${JSON.parse(data).reason}.`);
    show('answer', '–');
  });
  // It connects again by itself, unless it was refused: then /refresh says why.
  events.addEventListener('error', () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(start, 30_000);
  });
}

function showSignedIn(signedIn) {
  document.getElementById('signed-out').hidden = signedIn;
  document.getElementById('signed-in').hidden = !signedIn;
}

/** With a new token. Resolves to whether there is one. */
async function showUser() {
  const signedIn = await refresh();
  showSignedIn(signedIn);
  if (!signedIn) return false;
  const { sub, account, plan = 'no plan' } = await callService();
  show('words', `${sub} acts for ${account}, on ${plan}.`);
  return true;
}

async function start() {
  if (await showUser()) return listen();
  const failed = new URLSearchParams(location.search).get('error');
  show('words', failed ? `The sign-in failed: ${failed}` : 'Nobody is signed in.');
}

document.getElementById('call').addEventListener('click', () => void callService());
start().catch((error) => show('words', `That did not work: ${error.message}`));
