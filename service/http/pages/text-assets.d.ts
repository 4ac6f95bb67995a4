/** Style sheets are imported as text, so that they are part of the executable. */
declare module '*.css' {
  const text: string
  export default text
}
