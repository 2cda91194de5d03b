/** Fetches a real Apache Kafka (broker and Java console tools) from its Maven artefacts, once, into a cache folder. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '../../../base/errors.ts';
import type { Log } from '../../../base/log.ts';

/** pom.xml, server.properties.tmpl, log4j2.properties. */
export const KAFKA_DEPLOY_DIR: string = fileURLToPath(new URL('../../../../deploy/kafka', import.meta.url));

const APT_INSTALL = 'apt-get install -y --no-install-recommends openjdk-17-jre-headless maven';
const LEAST_JAVA = 17;

/** The version that deploy/kafka/pom.xml pins. */
export function kafkaVersion(): string {
  const pom = readFileSync(join(KAFKA_DEPLOY_DIR, 'pom.xml'), 'utf8');
  const version = /<kafka\.version>([^<]+)</.exec(pom)?.[1];
  if (!version) throw new TocsinError('BAD_CONFIG', 'deploy/kafka/pom.xml names no kafka.version');
  return version;
}

/** Where the jars lie, or will lie. */
export function kafkaLibs(cacheDir: string): string {
  return join(cacheDir, `kafka-${kafkaVersion()}`);
}

const works = (command: string, args: readonly string[]): string | null => {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  return done.status === 0 ? `${done.stdout}${done.stderr}` : null;
};

/** Major version of the `java` on the path; null when there is none. */
export function javaVersion(): number | null {
  const printed = works('java', ['-version']);
  const major = printed === null ? undefined : /version "(?:1\.)?(\d+)/.exec(printed)?.[1];
  return major === undefined ? null : Number(major);
}

/** Whether there is an `mvn` on the path that runs. */
export function hasMaven(): boolean {
  return works('mvn', ['-v']) !== null;
}

function missingTools(needMaven: boolean): string[] {
  const missing: string[] = [];
  const java = javaVersion();
  if (java === null) missing.push('java');
  else if (java < LEAST_JAVA) missing.push(`java ${LEAST_JAVA} or newer (found ${java})`);
  if (needMaven && !hasMaven()) missing.push('mvn');
  return missing;
}

/** Installs Java and Maven where that is ours to do: on Debian, as root. */
function installTools(missing: readonly string[], log: Log): void {
  const canApt = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (canApt) {
    log.info({ missing }, 'Installing Java and Maven with apt-get.');
    const apt = (command: string): boolean =>
      spawnSync('sh', ['-c', `DEBIAN_FRONTEND=noninteractive ${command}`], { stdio: 'ignore' }).status === 0;
    if (!apt(APT_INSTALL)) {
      apt('apt-get update');
      apt(APT_INSTALL);
    }
    if (missingTools(true).length === 0) return;
  }
  throw new TocsinError(
    'DEPENDENCY_MISSING',
    `Kafka needs ${missing.join(' and ')}; on Debian or Ubuntu: sudo ${APT_INSTALL}`,
  );
}

/**
 * Makes sure that the jars are there and Java runs; downloads nothing when they are.
 * @returns the folder of jars. Throws DEPENDENCY_MISSING, with the command that helps, when Java, Maven or the artefacts cannot be had.
 */
export function installKafka(deps: { readonly cacheDir: string; readonly log: Log }): string {
  const libs = kafkaLibs(deps.cacheDir);
  const present = existsSync(libs);
  const missing = missingTools(!present);
  if (missing.length > 0) installTools(missing, deps.log);
  if (present) return libs;
  mkdirSync(deps.cacheDir, { recursive: true });
  const aside = mkdtempSync(join(deps.cacheDir, 'kafka-partial-'));
  try {
    deps.log.info({ version: kafkaVersion() }, 'Fetching Apache Kafka with Maven.');
    const pom = join(KAFKA_DEPLOY_DIR, 'pom.xml');
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${aside}`];
    const done = spawnSync('mvn', ['-q', '-B', '-ntp', '-Ptools', '-f', pom, ...goal], { encoding: 'utf8' });
    if (done.status !== 0)
      throw new TocsinError(
        'DEPENDENCY_MISSING',
        `Maven could not fetch Kafka; see: mvn -Ptools -f ${pom} dependency:resolve\n${`${done.stdout}${done.stderr}`.slice(0, 2_000)}`,
      );
    // Another process may have been faster; its folder is as good.
    if (!existsSync(libs)) renameSync(aside, libs);
  } catch (thrown) {
    if (!existsSync(libs)) throw thrown;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return libs;
}
