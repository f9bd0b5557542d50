// Makes one call by the JavaScript SDK: node call.cjs FOLDER_OF_THE_SDK OPERATION PARAMETERS_AS_JSON
// Prints the response as JSON, or {"refused": the name of the error}.
const { createRequire } = require("node:module");

const [folder, operation, parameters] = process.argv.slice(2);
const sdk = createRequire(`${folder}/`)("@aws-sdk/client-connect");
// The SDK wants a Date where JSON has a text.
const readTime = (key, value) => (/^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value);

new sdk.ConnectClient()
  .send(new sdk[`${operation}Command`](JSON.parse(parameters, readTime)))
  .then((response) => console.log(JSON.stringify(response)))
  .catch((error) => {
    if (!(error instanceof sdk.ConnectServiceException)) throw error;
    console.log(JSON.stringify({ refused: error.name }));
  });
