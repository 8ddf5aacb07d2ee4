"""What people use today for such an API: small applications, each as its tutorial says, over the same tables."""
