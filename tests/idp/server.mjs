// An OpenID provider for tests: one client, one resource, JWT access tokens.
// Prints {"issuer": …} when it listens; POST /_rotate gives it a new signing key.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';

import Provider from 'oidc-provider';

const resource = 'api://independent';

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

function provider(issuer) {
  return new Provider(issuer, {
    jwks: { keys: [signingKey()] },
    clients: [{
      client_id: 'caller', client_secret: 'secret', grant_types: ['client_credentials'],
      redirect_uris: [], response_types: [],
    }],
    scopes: ['things.read'],
    extraTokenClaims: () => ({ roles: ['DataReader'] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'things.read', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
}

let current;
const server = createServer((req, res) => {
  if (req.method === 'POST' && req.url === '/_rotate') {
    current = provider(current.issuer);
    res.writeHead(204).end();
    return;
  }
  current.callback()(req, res);
});
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  current = provider(issuer);
  console.log(JSON.stringify({ issuer }));
});
// The test's end closes our standard input; nothing may outlive it.
process.stdin.resume().on('end', () => process.exit(0));
