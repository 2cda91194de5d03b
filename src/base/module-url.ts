/** Finds a module that is to run in a thread or a child, from sources (tsx, vitest) as well as from the build. */

export interface RunnableModule {
  readonly url: URL;
  /** Node flags that the thread or child needs to load it. */
  readonly execArgv: string[];
}

/**
 * @param from the caller's `import.meta.url`
 * @param specifier relative, without extension, e.g. `./score-thread`
 */
export function runnableModule(from: string, specifier: string): RunnableModule {
  const source = new URL(from).pathname.endsWith('.ts');
  return {
    url: new URL(`${specifier}${source ? '.ts' : '.js'}`, from),
    execArgv: source ? ['--import', 'tsx'] : [],
  };
}
