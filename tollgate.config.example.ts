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
  // What members may do in their account, beside its owners. This is what holds without `roles`.
  roles: [
    { id: 'admin', name: 'Admin', may: ['members', 'settings', 'activity'] },
    { id: 'member', name: 'Member', may: [] },
  ],
  // Who sends invitations by e-mail. Without it they are links that people hand on themselves.
  // mail: { from: 'Example <id@example.com>' },
  signin: { success: 'https://app.example.com/' },
  signout: { success: 'https://www.example.com/' },
});
