/** An origin as a source of the policy: nothing in it could end the directive that it stands in. */
const originForm = /^https?:\/\/[a-z0-9._-]+(?::\d{1,5})?$/

/** Returns whether a policy can name the origin: none can name an IPv6 address (CSP3, "host-source"). */
export function isPolicyOrigin(origin: string): boolean {
  return originForm.test(origin)
}

/** Features of the browser that the UI does not need, denied to any script that gets to run in spite of the policy. */
const deniedFeatures = [
  'accelerometer',
  'autoplay',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-get',
  'screen-wake-lock',
  'usb',
  'xr-spatial-tracking',
]

/**
 * Returns the Content Security Policy (Level 3) of the Control UI, which holds tokens: only our own files run, and
 * bytes go nowhere but to us, the store and the issuer. A worker has the policy of its own script, not that of the page
 * (https://www.w3.org/TR/CSP3/#initialize-global-object-csp), so every file comes with it.
 *
 * @param connectOrigins origins of signed URLs and of the issuer; what {@link isPolicyOrigin} refuses is left out.
 */
export function uiContentPolicy(connectOrigins: readonly string[]): string {
  const connect = ["'self'", ...new Set(connectOrigins.filter(isPolicyOrigin))].join(' ')
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${connect}`,
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Returns the headers of every file of the UI. */
export function uiFileHeaders(contentPolicy: string): Record<string, string> {
  return {
    'content-security-policy': contentPolicy,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  }
}

/**
 * Returns the headers of the page itself.
 *
 * @param openerPolicy Cross-Origin-Opener-Policy (HTML standard, "Cross-origin opener policies").
 */
export function uiPageHeaders(
  contentPolicy: string,
  openerPolicy: 'same-origin-allow-popups' | 'unsafe-none',
): Record<string, string> {
  return {
    ...uiFileHeaders(contentPolicy),
    'cross-origin-opener-policy': openerPolicy,
    'permissions-policy': deniedFeatures.map((feature) => `${feature}=()`).join(', '),
  }
}
