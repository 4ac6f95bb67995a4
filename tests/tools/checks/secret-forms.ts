/** What one kind of secret looks like. */
export interface SecretForm {
  /** Ends the sentence "looks like …". */
  name: string
  /** Every match begins with one of these texts. They are searched for first, which is fast. */
  beginnings: readonly string[]
  /** Sticky; matches bytes as Latin-1 from their beginning, at most {@link secretBytesMax} of them. */
  form: RegExp
  /** Decides what a pattern cannot: whether this match is a real secret. */
  isReal?: (match: RegExpExecArray) => boolean
}

/** A longer match could be cut in two, because streams are read in pieces. */
export const secretBytesMax = 16 * 1024

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Between a name and its value: of a query (percent-encoded too), a setting, JSON (in JSON), a part of a form. */
const is = String.raw`(?:=|%(?:25)*3D|['"\\]*\s*[:=]\s*['"\\]*|['"\\]*(?:\r\n|\\r\\n){2})`
/** Names and places have no digit, or no letter. */
const mixed = String.raw`(?=[^\s'"]*\d)(?=[^\s'"]*[A-Za-z])`

/**
 * Forms in which secrets get printed, committed or packed; of two that begin at the same place the first is named.
 * Sources: RFC 7468 (PEM), RFC 7515 to 7518 (JOSE), RFC 6750 and 7617 (Bearer, Basic), RFC 6749 (OAuth), RFC 3986
 * section 3.2.1 (user information), the S3 API's "Authenticating requests (AWS Signature Version 4)" with its query,
 * header and POST, and what this service gives out itself.
 */
export const secretForms: readonly SecretForm[] = [
  {
    name: 'a private key',
    beginnings: ['-----BEGIN '],
    form: /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\+[rn]|\s)+(?:[\w-]+: [^\n]*\n\s*)*[A-Za-z0-9+/=]{40}/y,
  },
  { name: 'a private JWK', beginnings: ['"d"', '"d\\'], form: /"d\\*"\s*:\s*\\*"[\w-]{40,}/y },
  {
    name: 'a symmetric JWK',
    beginnings: ['"oct'],
    form: /"oct\\*"[^{}]{0,400}?"k\\*"\s*:\s*\\*"[\w-]{20,}/y,
  },
  {
    name: 'a symmetric JWK',
    beginnings: ['"k"', '"k\\'],
    form: /"k\\*"\s*:\s*\\*"[\w-]{20,}\\*"[^{}]{0,400}?"kty\\*"\s*:\s*\\*"oct/y,
  },
  {
    name: 'an AWS access key id',
    beginnings: ['AKIA', 'ASIA'],
    form: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/y,
    isReal: isNoExample,
  },
  {
    name: 'a secret access key',
    beginnings: ['secret', 'Secret', 'SECRET'],
    form: new RegExp(
      String.raw`secret[_-]?(?:access[_-]?)?key${is}${mixed}[A-Za-z0-9+/]{32,}={0,2}(?![\w.(+/-])`,
      'iy',
    ),
    isReal: isNoExample,
  },
  {
    name: 'a signature in an address or a form',
    beginnings: ['X-Amz-Signature', 'x-amz-signature', 'X-AMZ-SIGNATURE'],
    form: new RegExp(`(?:X-Amz-S|x-amz-s|X-AMZ-S)(?:ignature|IGNATURE)${is}[0-9a-f]{64}(?![0-9a-f])`, 'y'),
  },
  {
    name: 'a session token of AWS',
    beginnings: ['X-Amz-Security-Token', 'x-amz-security-token'],
    form: new RegExp(String.raw`x-amz-security-token${is}[\w%+/=-]{40,}`, 'iy'),
  },
  {
    name: 'a signature of a request',
    beginnings: ['Signature='],
    form: /(?<!-)Signature=(?:[0-9a-f]{64}(?![0-9a-f])|(?:[A-Za-z0-9+/]|%2[BFbf]){27}(?:=|%3[Dd]))/y,
  },
  {
    name: 'a signature of a request',
    beginnings: ['AWS '],
    form: /AWS [\w.+/-]{3,128}:[A-Za-z0-9+/]{27}=/y,
  },
  {
    name: 'the policy of a signed form',
    beginnings: [base64('{"expiration":"'), base64('{"conditions":[')],
    form: /eyJ[A-Za-z0-9+/]{80,}={0,2}/y,
  },
  {
    name: 'an upload ticket',
    beginnings: [base64('{"alg":"HS256","typ":"upload-ticket+jwt')],
    form: /eyJ[\w-]+\.[\w-]{20,}\.[\w-]{20,}/y,
  },
  {
    name: 'a cursor',
    beginnings: ['cursor', 'Cursor'],
    form: new RegExp(String.raw`cursor${is}[\w-]{8,}\.[\w-]{43}(?![\w-])`, 'iy'),
  },
  {
    name: 'a signed token',
    beginnings: ['eyJ'],
    form: /(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/y,
  },
  {
    name: 'an encrypted token',
    beginnings: ['eyJ'],
    form: /(?<![\w-])eyJ[\w-]{10,}\.[\w-]*\.[\w-]{12,}\.[\w-]{8,}\.[\w-]{20,}/y,
  },
  {
    name: 'a bearer token',
    beginnings: ['Bearer', 'bearer', 'BEARER'],
    form: new RegExp(String.raw`bearer(?:\s|%20|\+)+${mixed}[\w.~+/-]{20,}`, 'iy'),
  },
  {
    name: 'a password of Basic authentication',
    beginnings: ['Basic ', 'basic '],
    form: /basic ([A-Za-z0-9+/]{16,}={0,2})/iy,
    isReal: hasAccount,
  },
  {
    name: 'a password of a registry',
    beginnings: ['"auth"', '"auth\\'],
    form: /"auth\\*"\s*:\s*\\*"([A-Za-z0-9+/]{16,}={0,2})/y,
    isReal: hasAccount,
  },
  {
    name: 'credentials in an address',
    beginnings: ['://'],
    form: /:\/\/[^\s/?#@:"'`<>\\{}$,;]{1,128}:(?=[^\s@]*\d)(?=[^\s@]*[A-Za-z])[^\s/?#@:"'`<>\\{}$,;]{12,}@[\w[]/y,
  },
  {
    name: 'a token of a sign-in',
    beginnings: ['access_token', 'refresh_token', 'id_token', 'code_verifier', 'client_secret'],
    form: new RegExp(String.raw`\w+${is}${mixed}[\w.~-]{24,}`, 'y'),
  },
  {
    name: 'a code of a sign-in',
    beginnings: ['?code=', '&code=', '#code='],
    form: new RegExp(String.raw`.code=${mixed}[\w.~-]{20,}`, 'y'),
  },
  {
    name: 'a token of a Swarm',
    beginnings: ['SWMTKN-1-', 'SWMKEY-1-'],
    form: /(?:SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}|SWMKEY-1-[A-Za-z0-9+/]{43})/y,
  },
  { name: 'a key of Ceph', beginnings: ['key = AQ', 'key: AQ'], form: /key[ :=]+AQ[A-Za-z0-9+/]{36}==/y },
  {
    name: 'a token of a code host',
    beginnings: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'npm_', 'dckr_pat_'],
    form: /(?<![\w-])(?:(?:gh[pousr]_|github_pat_)\w{20,}|npm_[A-Za-z0-9]{36}(?!\w)|(?:glpat-|dckr_pat_)[\w-]{20,})/y,
  },
  {
    // A place in a setting that names a file is none.
    name: 'a secret in a setting',
    beginnings: ['secret', 'password', 'token', 'Secret', 'Password', 'Token', 'SECRET', 'PASSWORD', 'TOKEN'],
    form: /(?:secret|password|token)\w*\\*['"]?\s*[:=]\s*\\*['"](?!(?<=file\\*['"]?\s*[:=]\s*\\*['"])\/)(?=[^'"]*\d)(?=[^'"]*[a-z])[A-Za-z0-9+/_-]{32,}\\*['"]/iy,
  },
  {
    name: 'a secret in the environment',
    beginnings: ['SECRET', 'PASSWORD', 'TOKEN', 'SIGNING_KEY', 'ACCESS_KEY'],
    form: new RegExp(
      String.raw`[A-Z]+(?:_[A-Z0-9]+)*(?<!_FILE|_ID|_URL|_ENDPOINT)=${mixed}[A-Za-z0-9+][\w+/-]{19,}={0,2}(?![\w.(/-])`,
      'y',
    ),
    isReal: isNoExample,
  },
]

/** The keys in the AWS documentation contain the word. */
function isNoExample([text]: RegExpExecArray): boolean {
  return !text.includes('EXAMPLE')
}

/** True if the first group is base64 of `<user>:<password>` (RFC 7617, section 2) and the password is not a mere word. */
function hasAccount([, encoded = '']: RegExpExecArray): boolean {
  const account = Buffer.from(encoded, 'base64').toString('latin1')
  return /^[\x21-\x7e]+:(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[\x21-\x7e]{8,}$/.test(account)
}
