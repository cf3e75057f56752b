#!/bin/sh
# Stands for StaticSitesClient, which the Static Web Apps CLI starts with nothing but environment variables. Its token is
# SECRET@ADDRESS; it sends the folder there, and ends and speaks as the answer says.
if [ "$DEPLOYMENT_ACTION" != upload ] || [ "$SKIP_APP_BUILD" != true ] || [ ! -d "$APP_LOCATION" ]; then
    echo "unexpected: action '$DEPLOYMENT_ACTION', app '$APP_LOCATION'" >&2
    exit 64
fi
tar -C "$APP_LOCATION" -cf - . | node --input-type=module -e '
const [token, environment] = process.argv.slice(1);
const parts = [];
for await (const part of process.stdin) parts.push(part);
const address = `${token.split("@")[1]}/upload?environment=${encodeURIComponent(environment)}`;
const answer = await fetch(address, { method: "POST", body: Buffer.concat(parts), headers: { authorization: token } });
process.stdout.write(await answer.text());
process.exitCode = answer.ok ? Number(answer.headers.get("x-exit-code")) : 1;
' "$DEPLOYMENT_TOKEN" "$DEPLOYMENT_ENVIRONMENT"
