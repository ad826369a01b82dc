"""Systems Manager with AWS' own rules: Parameter Store.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html
"""
