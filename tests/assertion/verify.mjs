import { createHash } from "node:crypto";
import { createRemoteJWKSet, importJWK, jwtVerify } from "jose";

const digest = (text) => createHash("sha256").update(text).digest("base64url");

// The claims of a request that came through the gateway; it throws for any other.
export function verifier(gateway, audience) {
  const roots = createRemoteJWKSet(new URL(`${gateway}/_gateway/jwks`));
  const rules = { issuer: gateway, algorithms: ["ES256"], clockTolerance: 5, requiredClaims: ["iat", "exp"] };
  return async (request) => {
    const statement = await jwtVerify(request.headers["x-gateway-assertion-key"] ?? "", roots, { ...rules, typ: "tollgate-key+jwt" });
    const key = await importJWK(statement.payload.cnf.jwk, "ES256");
    const assertion = request.headers["x-gateway-assertion"] ?? "";
    const { payload } = await jwtVerify(assertion, key, { ...rules, typ: "tollgate-assertion+jwt", audience, maxTokenAge: "5m" });
    const [path, ...rest] = request.url.split("?");
    const query = rest.length ? digest(rest.join("?")) : undefined;
    if (payload.htm !== request.method || payload.path !== path || payload.qh !== query) {
      throw new Error("the assertion is for another request");
    }
    return payload; // payload.headers is what to believe of the caller, not request.headers
  };
}
