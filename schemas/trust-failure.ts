/** Node's codes for a server whose certificate is not believed, and for one that does not believe ours. */
const trustCodes = /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT\w*)|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|ERR_SSL_\w*(?:CERTIFICATE|UNKNOWN_CA)\w*)$/;

/**
 * True for errors of TLS that another attempt would meet again: a certificate that nobody vouches for, that is expired, or that belongs to another
 * host; and a server that wants a certificate from us. All servers share it: Redis, the schema registry and ClickHouse.
 */
export function isTrustFailure(error: unknown): boolean {
  for (let each: unknown = error, depth = 0; typeof each === 'object' && each !== null && depth < 5; depth++) {
    const { code, cause, message } = each as { readonly code?: unknown; readonly cause?: unknown; readonly message?: unknown };
    if (typeof code === 'string' && trustCodes.test(code)) return true;
    if (typeof message === 'string' && /self-signed certificate|unable to (?:verify the first certificate|get (?:local )?issuer certificate)|certificate has expired|alert (?:certificate required|unknown ca)|does not match certificate's altnames/i.test(message)) return true;
    each = cause;
  }
  return false;
}
