// The AWS SDK for JavaScript, version 2. Version 3 has a client for CloudTrail Data in its sources, but as of November 2026 npm
// has no package of it: `npm view @aws-sdk/client-cloudtrail-data` answers 404, while its neighbours are there. Version 2 reads
// the same model. It has no exception types, so `typed` stays null: an error's `code` is what its users match on.
'use strict';
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1';
const fs = require('node:fs');
const AWS = require('aws-sdk');

const [endpoint, table, results] = process.argv.slice(2);

async function call(one) {
  const client = new AWS.CloudTrailData({
    endpoint,
    region: one.region,
    credentials: new AWS.Credentials(one.key.id, one.key.secret, one.key.token ?? undefined),
    systemClockOffset: one.skew * 1000,
    maxRetries: 0,
    paramValidation: false,
  });
  const parameters = { channelArn: one.channel, auditEvents: one.entries };
  if (one.external_id !== null) parameters.externalId = one.external_id;
  try {
    const { successful, failed } = await client.putAuditEvents(parameters).promise();
    return {
      ok: {
        successful: Object.fromEntries(successful.map((entry) => [entry.id, entry.eventID])),
        failed: Object.fromEntries(failed.map((entry) => [entry.id, entry.errorCode])),
      },
    };
  } catch (error) {
    if (!error.statusCode || !error.requestId || !error.message) throw error;
    return { error: error.code, status: error.statusCode, typed: null };
  }
}

async function main() {
  const outcomes = {};
  for (const one of JSON.parse(fs.readFileSync(table, 'utf8'))) {
    const answers = await Promise.all(Array.from({ length: one.burst }, () => call(one)));
    // Of calls at the same time, the one that tells the most.
    outcomes[one.name] = answers.find((answer) => answer.error === one.expect.error) ?? answers[0];
  }
  fs.writeFileSync(results, JSON.stringify(outcomes));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
