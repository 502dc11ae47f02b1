// Copy this file to tollgate.config.ts. Secrets are in the environment: TOLLGATE_SECRET,
// TOLLGATE_PROVIDER_GOOGLE_SECRET, TOLLGATE_CLIENT_WEB_SECRET, and TOLLGATE_MAIL_SERVER with `mail`. All keys: docs/configuration.md.
import { defineConfig } from './src/config.ts';

export default defineConfig({
  issuer: 'https://id.example.com',
  registration: 'open',
  providers: [
    { id: 'google', preset: 'google', clientId: '1234567890-abc.apps.googleusercontent.com' },
  ],
  products: [{ id: 'api', name: 'Example API', audience: 'https://api.example.com' }],
  clients: [
    {
      id: 'web',
      name: 'Example App',
      product: 'api',
      redirectUris: ['https://app.example.com/callback'],
      postLogoutRedirectUris: ['https://app.example.com/'],
    },
  ],
  // mail: { from: 'Example <id@example.com>' }, // for invitations by e-mail
  signin: { success: 'https://app.example.com/' },
  signout: { success: 'https://www.example.com/' },
});
